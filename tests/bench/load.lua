-- load.lua - the requests of each bench, for wrk:  wrk -s load.lua URL -- livez | counter | add | locks | square
--
-- locks: acquire and release over 5,000 locks; each thread has half of them in turn, and gives back what the
-- reply it has just read granted.
--
-- SPDX-License-Identifier: MIT

local LOCKS = 5000
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local ready, at = {}, 0
local held, first, last = {}, 1, 0
local turn, mine = 0, LOCKS / 2

local function in_turn()
  at = at % #ready + 1
  return ready[at]
end

local function acquire_or_release()
  if first <= last then
    local one = held[first]
    held[first] = nil
    first = first + 1
    return one
  end
  turn = turn % mine + 1
  return ready[turn]
end

local function take_token(status, headers, body)
  if status == 200 and body:find('"expires_at"', 1, true) then
    last = last + 1
    held[last] = wrk.format("POST", "/v1/locks/" .. body:match('"name":"([^"]+)"') ..
      "/release?token=" .. body:match('"token":(%d+)'))
  end
end

function init(args)
  local what = args[1]
  request = in_turn
  if what == "livez" then
    ready[1] = wrk.format("GET", "/livez")
  elseif what == "counter" then
    ready[1] = wrk.format("GET", "/v1/counters/x")
  elseif what == "add" then
    for n = 1, 7 do ready[n] = wrk.format("POST", "/v1/counters/x/add?n=" .. n) end
  elseif what == "square" then
    for n = 1, 7 do ready[n] = wrk.format("POST", "/v1/run/square?n=" .. n .. "&wait=5s") end
  else
    for n = 1, mine do ready[n] = wrk.format("POST", "/v1/locks/bench-" .. id .. "-" .. n .. "/acquire?ttl=3s") end
    request, response = acquire_or_release, take_token
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
