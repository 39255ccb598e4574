-- wrk script of the bench of map layers: asks the paths of file $PATHS in turns, with $TAG as If-None-Match where given.
-- prints, last: "rps=<x> p50_us=<n> p99_us=<n> non2xx=<n> errors=<n>"
local reqs, k = {}, 0
function init(args)
  local tag = os.getenv("TAG")
  for path in io.lines(os.getenv("PATHS")) do
    reqs[#reqs + 1] = wrk.format("GET", path, tag and {["If-None-Match"] = tag})
  end
end
function request()
  k = k % #reqs + 1
  return reqs[k]
end
function done(s, lat, r)
  local e = s.errors
  io.write(string.format("rps=%.3f p50_us=%d p99_us=%d non2xx=%d errors=%d\n", s.requests / s.duration * 1e6,
    lat:percentile(50), lat:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
