-- New service tokens. Environment: TOKEN, BENCH_LUA.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Vault-Token"] = os.getenv("TOKEN")
wrk.body = '{"policies":["default"],"ttl":"24h","no_parent":true}'
