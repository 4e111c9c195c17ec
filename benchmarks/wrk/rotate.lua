-- Refreshes sessions: each request presents the successor that the latest answer of its session gave. Argument: a file
-- with one refresh token a line, more of them than connections (an answer under way holds its session's).

dofile("report.lua")

local tokens, first, last = {}, 1, 0
local headers = { ["Content-Type"] = "application/json" }
served, turned_away, without_retry_after, refused = 0, 0, 0, 0

local function keep(token)
   last = last + 1
   tokens[last] = token
end

function init(arguments)
   for token in io.lines(arguments[1]) do
      keep(token)
   end
end

function request()
   local token = tokens[first]
   -- Nothing is left when answers brought no successor: the empty token is then refused, and counted as such.
   if token then
      tokens[first] = nil
      first = first + 1
   end
   return wrk.format("POST", nil, headers, '{"refresh_token": "' .. (token or "") .. '"}')
end

function response(status, headers, body)
   local successor = status == 200 and body:match('"refresh_token":%s*"([^"]+)"')
   if successor then
      served = served + 1
      keep(successor)
   else
      refused = refused + 1
   end
end
