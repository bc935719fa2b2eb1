-- What wrk sends, and what it reports: `wrk … -s bench/wrk.lua URL -- FILE [COOKIE TOKEN SALT]`.
-- FILE holds one line per request to choose from at random: a path to get; or, with the three further arguments,
-- `category lat lon text`, parted by tabs, to post as the form of a new report.

local number = 0

function setup(thread)
  thread:set("thread_number", number)
  number = number + 1
end

local lines, cookie, token, salt = {}, nil, nil, nil
local sent = 0
local boundary = "----gatami-bench"

function init(args)
  math.randomseed(os.time() * 16 + thread_number)
  for line in io.lines(args[1]) do
    lines[#lines + 1] = line
  end
  cookie, token, salt = args[2], args[3], args[4]
end

local function part(name, value)
  return "--" .. boundary .. '\r\nContent-Disposition: form-data; name="' .. name .. '"\r\n\r\n' .. value .. "\r\n"
end

function request()
  local line = lines[math.random(#lines)]
  if not cookie then
    return wrk.format("GET", line)
  end
  sent = sent + 1
  local one = salt .. "-" .. thread_number .. "-" .. sent
  local category, lat, lon, text = line:match("^(.-)\t(.-)\t(.-)\t(.*)$")
  local body = part("csrf_token", token) .. part("submission", one) .. part("category", category)
    .. part("lat", lat) .. part("lon", lon) .. part("text", text .. " (" .. one .. ")")
    .. part("name", "") .. part("email", "") .. part("phone", "") .. part("website", "")
    .. "--" .. boundary .. "--\r\n"
  local headers = {
    ["Content-Type"] = "multipart/form-data; boundary=" .. boundary,
    ["Cookie"] = cookie,
  }
  return wrk.format("POST", "/reports", headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
