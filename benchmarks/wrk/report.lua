-- What wrk saw, as one line of JSON at the end. The scripts beside this one count answers by their status.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

local function counted(name)
   local total = 0
   for _, thread in ipairs(threads) do
      total = total + (thread:get(name) or 0)
   end
   return total
end

function done(summary, latency, requests)
   local errors = summary.errors
   local broken = errors.connect + errors.read + errors.write + errors.timeout
   io.write(string.format(
      '{"seconds": %.6f, "answers": %d, "error_answers": %d, "broken": %d, "p50": %.3f, "p99": %.3f, '
         .. '"served": %d, "turned_away": %d, "without_retry_after": %d, "refused": %d}\n',
      summary.duration / 1e6, summary.requests, errors.status, broken,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000,
      counted("served"), counted("turned_away"), counted("without_retry_after"), counted("refused")))
end
