-- kv version 2 writes, spread over a thousand keys. Environment: TOKEN, BENCH_LUA.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
local token = os.getenv("TOKEN")
local count = 0
function request()
  count = count + 1
  local body = '{"data":{"username":"application","password":"correct horse battery staple ' .. count .. '"}}'
  return wrk.format("POST", "/v1/secret/data/write/" .. (count % 1000),
    { ["X-Vault-Token"] = token, ["Content-Type"] = "application/json" }, body)
end
