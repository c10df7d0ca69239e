-- requests.lua - for wrk: sends the requests of a file in turn, and says in one line how it went.
--
--   wrk ... -s requests.lua URL -- METHOD PATH FILE    POST: each line of FILE is the body of a request to PATH
--                                                      GET: each line of FILE goes behind PATH
--
-- Prints: result, requests, seconds, 99th percentile in ms, failures (status 400 and above, broken connections, timeouts).

local requests, last = {}, 0

function init(args)
   local method, path, file = args[1], args[2], args[3]
   for line in io.lines(file) do
      if method == "GET" then
         requests[#requests + 1] = wrk.format("GET", path .. line)
      else
         requests[#requests + 1] = wrk.format(method, path, {["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json"}, line)
      end
   end
end

function request()
   last = last % #requests + 1
   return requests[last]
end

function done(summary, latency)
   local e = summary.errors
   print(string.format("result %d %.6f %.3f %d", summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3,
      e.status + e.connect + e.read + e.write + e.timeout))
end
