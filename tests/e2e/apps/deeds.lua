-- A script for tests: each path is a deed.

local vendors
local calls = 0
local first = math.random(1 << 62)
local deeds = {}

function load()
	vendors = { ["00:22:72"] = "American Micro-Fuel Device Corp." }
end

function deeds.hello() return "hello, world" end
function deeds.loaded() return vendors["00:22:72"] end
function deeds.count() calls = calls + 1 return tostring(calls) end
function deeds.random() return math.random(1 << 62) .. " " .. first end
function deeds.status() return 404, "nothing here" end
function deeds.headers() return 201, { ["X-One"] = "1", ["X-Number"] = 2 }, "made" end
function deeds.nothing() end
function deeds.no_body() return 204, nil end

function deeds.show(request)
	local parts = {}
	for _, name in ipairs { "method", "path", "query", "rest", "route", "host", "protocol", "scheme", "peer",
		"listener", "pool", "body_length" } do
		parts[#parts + 1] = name .. "=" .. tostring(request[name])
	end
	parts[#parts + 1] = "x-one=" .. tostring(request.headers["x-one"])
	parts[#parts + 1] = "none=" .. tostring(request.none)
	parts[#parts + 1] = "id=" .. #request.id
	parts[#parts + 1] = "left=" .. tostring(request.deadline > 0)
	return table.concat(parts, "\n")
end

function deeds.tls(request)
	local parts = {}
	for _, name in ipairs { "scheme", "tls_version", "tls_cipher", "tls_server_name", "client_subject", "client_san" } do
		parts[#parts + 1] = name .. "=" .. tostring(request[name])
	end
	return table.concat(parts, "\n")
end

-- Made while the script is loaded; asks for the request in a child.
local asker = coroutine.wrap(function(request)
	while true do request = coroutine.yield(request and request.method) end
end)
asker()

function deeds.coroutine(request)
	local inner = coroutine.wrap(function() return request.rest end)
	return asker(request) .. " " .. inner()
end

-- Blocks of all sizes that grow, shrink and move; what they hold tells whether they did so whole.
function deeds.grow(request)
	local parts, sums = {}, {}
	for i = 1, 20000 do
		parts[i] = ("%06d"):format(i):rep(i % 50)
		sums[i % 300] = (sums[i % 300] or 0) + #parts[i]
	end
	local whole, total = table.concat(parts), 0
	for _, sum in pairs(sums) do total = total + sum end
	local at = 1
	for i = 1, 20000 do
		local expected = ("%06d"):format(i):rep(i % 50)
		if whole:sub(at, at + #expected - 1) ~= expected then return 500, "part " .. i end
		at = at + #expected
	end
	return total .. " " .. #whole
end

function deeds.read(request) return request:read() end
function deeds.decode(request) return request:decode(request.query) or "nil" end

function deeds.pieces(request)
	local parts = {}
	for piece in function() return request:read(7) end do parts[#parts + 1] = "<" .. piece .. ">" end
	return table.concat(parts)
end

function deeds.lines(request)
	local parts = {}
	for line in request:lines() do parts[#parts + 1] = "<" .. line .. ">" end
	return table.concat(parts)
end

function deeds.write(request)
	request:status(202)
	request:header("X-Written", "yes")
	request:length(10)
	request:write("01234", "56789")
end

-- A piece now, the next one when a byte of the body has come.
function deeds.stream(request)
	local left = 3
	return 200, function()
		if left == 0 then return nil end
		if left < 3 then request:read(1) end
		left = left - 1
		return "piece"
	end
end

function deeds.warn()
	warn("not shown")
	warn("@on")
	warn("look", " out")
	warn("@off")
	warn("not shown either")
end
function deeds.print_and_crash()
	io.write("said before")
	os.exit(true)
end
function deeds.print()
	print("printed")
	io.write("no end of line")
	return "x"
end

function deeds.error() error("of the script") end
function deeds.object() error({ code = 1 }) end
function deeds.bad_status() return 100, "x" end
function deeds.bad_header() return 200, { ["X\n"] = "x" }, "x" end
function deeds.bad_body() return {} end
function deeds.too_many() return 200, {}, "x", "y" end

function deeds.middle(request)
	request:write(("x"):rep(100000))
	error("in the middle")
end

function deeds.spin() while true do end end
function deeds.hoard() return ("x"):rep(1 << 30) end
function deeds.open() return assert(io.open("/etc/passwd")):read("a") end
function deeds.execute() os.execute("true") end
function deeds.leave() os.exit(0) end
function deeds.deep() return (function(f) return f(f) .. "" end)(function(f) return f(f) .. "" end) end

function handle(request)
	local deed = deeds[request.path:match("[^/]*$")]
	if not deed then return 404, "no such deed" end
	return deed(request)
end
