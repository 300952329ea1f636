-- approle logins. Environment: ROLE_ID, SECRET_ID, BENCH_LUA.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"role_id":"' .. os.getenv("ROLE_ID") .. '","secret_id":"' .. os.getenv("SECRET_ID") .. '"}'
