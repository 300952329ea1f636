-- One path, read again and again with one token. Environment: TOKEN, BENCH_LUA.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
wrk.method = "GET"
wrk.headers["X-Vault-Token"] = os.getenv("TOKEN")
