-- For wrk: every request creates a service of a name that no other one has.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  made = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  prefix = string.format("%x-%d-", os.time(), number)
end

function request()
  made = made + 1
  local body = '{"name":"bench-' .. prefix .. made .. '","ip_fqdn":"10.0.0.1","port":8080,"collection":"bench","cluster_id":1}'
  return wrk.format("POST", nil, nil, body)
end
