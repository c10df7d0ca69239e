-- mixed.lua - for wrk: requests of all routes of senti-serve in a fixed disorder, good ones and bad ones, for tests/bench/soak.
--
--   wrk ... -s mixed.lua URL -- FILE    FILE has one JSON object with a text a line
--
-- Prints: result, requests, seconds, connections that failed.

local count, ids = 20000, 10000
local requests, last, texts = {}, 0, {}

local function json(extra)
   local h = {["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json"}
   for k, v in pairs(extra or {}) do
      h[k] = v
   end
   return h
end

local lines_header = {["Content-Type"] = "application/x-ndjson"}

local function some(n, separator, with_ids)
   local out = {}
   for i = 1, n do
      local text = texts[math.random(#texts)]
      out[i] = with_ids and text:gsub('^{"id": *"[^"]*"', string.format('{"id":"%d","source":"soak"', math.random(ids))) or text
   end
   return table.concat(out, separator)
end

local function message()
   return "/v1/messages/" .. math.random(ids * 11 / 10)
end

-- How often of a thousand, and what. No HEAD, after whose answer wrk waits for a body.
local kinds = {
   {400, function() return wrk.format("POST", "/v1/sentiment", json(), some(1, "")) end},
   {80, function() return wrk.format("POST", "/v1/sentiment?explain=true", json(), "[" .. some(10, ",") .. "]") end},
   {20, function() return wrk.format("POST", "/v1/sentiment?model=plus", json({["Accept-Encoding"] = "gzip"}), "[" .. some(50, ",") .. "]") end},
   {50, function() return wrk.format("POST", "/v1/sentiment", json(lines_header), some(20, "\n") .. "\n") end},
   {100, function() return wrk.format("POST", "/v1/messages", json(), some(1, "", true)) end},
   {20, function() return wrk.format("POST", "/v1/messages", json({["Prefer"] = "wait=5"}), some(1, "", true)) end},
   {30, function() return wrk.format("POST", "/v1/messages", json(lines_header), some(10, "\n", true) .. "\n") end},
   {200, function() return wrk.format("GET", message()) end},
   {10, function() return wrk.format("GET", "/v1/messages?limit=5&label=positive&order=newest") end},
   {1, function() return wrk.format("GET", "/v1/stats?by=label") end},
   {10, function() return wrk.format("PATCH", message(), json(), '{"label":"neutral"}') end},
   {20, function() return wrk.format("DELETE", message()) end},
   {10, function() return wrk.format("GET", "/livez") end},
   {4, function() return wrk.format("GET", "/readyz") end},
   {1, function() return wrk.format("GET", "/metrics") end},
   {2, function() return wrk.format("GET", "/openapi.json") end},
   {2, function() return wrk.format("GET", "/v1/models") end},
   {10, function() return wrk.format("POST", "/v1/sentiment", json(), '{"text":') end},
   {10, function() return wrk.format("POST", "/v1/messages", json(), '{"text":7}') end},
   {5, function() return wrk.format("POST", "/v1/sentiment?model=none", json(), some(1, "")) end},
   {5, function() return wrk.format("GET", "/v1/nothing/here?x=%zz") end},
   {5, function() return wrk.format("DELETE", "/v1/sentiment") end},
   {5, function() return wrk.format("OPTIONS", "/v1/messages") end},
}

function init(args)
   math.randomseed(7)
   for line in io.lines(args[1]) do
      texts[#texts + 1] = line
      if #texts == 2000 then
         break
      end
   end
   for _, kind in ipairs(kinds) do
      for _ = 1, count * kind[1] / 1000 do
         requests[#requests + 1] = kind[2]()
      end
   end
   for i = #requests, 2, -1 do
      local k = math.random(i)
      requests[i], requests[k] = requests[k], requests[i]
   end
end

function request()
   last = last % #requests + 1
   return requests[last]
end

function done(summary)
   local e = summary.errors
   print(string.format("result %d %.6f %d", summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.timeout))
end
