-- Signs people in, one after the other. Arguments: a file with one body a line, its content type, and how to ask:
-- "patient" (who gets 503 comes back after Retry-After, as a client should) or a number (so many a second, whatever
-- the answers: a flood).

dofile("report.lua")
local ffi = require("ffi")
ffi.cdef("struct timeval { long tv_sec; long tv_usec; }; int gettimeofday(struct timeval *, void *);")
-- Who fell behind does not make up for more than this.
local MOST_BEHIND = 100

local requests, turn = {}, 0
local step, due
local owed = {}
served, turned_away, without_retry_after, refused = 0, 0, 0, 0

local function milliseconds()
   local now = ffi.new("struct timeval")
   ffi.C.gettimeofday(now, nil)
   return tonumber(now.tv_sec) * 1000 + tonumber(now.tv_usec) / 1000
end

function init(arguments)
   local headers = { ["Content-Type"] = arguments[2] }
   for body in io.lines(arguments[1]) do
      table.insert(requests, wrk.format("POST", nil, headers, body))
   end
   if arguments[3] ~= "patient" then
      step = 1000 / tonumber(arguments[3])
   end
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

function delay()
   if not step then
      return table.remove(owed) or 0
   end
   local now = milliseconds()
   due = math.max((due or now) + step, now - MOST_BEHIND)
   return math.max(0, due - now)
end

local function retry_after(headers)
   for name, value in pairs(headers) do
      if name:lower() == "retry-after" then
         return tonumber(value)
      end
   end
end

function response(status, headers, body)
   if status == 200 then
      served = served + 1
   elseif status == 503 then
      turned_away = turned_away + 1
      local seconds = retry_after(headers)
      if not seconds then
         without_retry_after = without_retry_after + 1
      elseif not step then
         table.insert(owed, seconds * 1000)
      end
   else
      refused = refused + 1
   end
end
