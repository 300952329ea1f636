-- kv version 2 writes, each to a new key. Environment: TOKEN, BENCH_LUA, ROUND.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
local token = os.getenv("TOKEN")
local prefix = "/v1/secret/data/fill/" .. os.getenv("ROUND") .. "/"
local count = 0
function request()
  count = count + 1
  return wrk.format("POST", prefix .. (count % 1000) .. "/" .. count,
    { ["X-Vault-Token"] = token, ["Content-Type"] = "application/json" }, '{"data":{"value":"secret ' .. count .. '"}}')
end
