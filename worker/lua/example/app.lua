-- What `make run-lua` serves. The script and load() run once; handle() in a process of its own for each request.

local squares
local visits = 0 -- grows with each request, for those that share a process

function load()
	squares = {}
	for number = 1, 100000 do squares[number] = number * number end
end

local function square(request)
	local number = tonumber(request.query)
	if not squares[number] then return 404, "a whole number from 1 to 100000, please\n" end
	return number .. " * " .. number .. " = " .. squares[number] .. "\n"
end

local function shout(request)
	return 200, { ["Content-Type"] = "text/plain" }, function()
		local piece = request:read(4096)
		return piece and piece:upper()
	end
end

local pages = { ["/square"] = square, ["/shout"] = shout }

function handle(request)
	local page = pages[request.path]
	if page then return page(request) end
	if request.path == "/error" then error("on purpose: the log has the traceback") end
	visits = visits + 1
	return "visits that this process has seen: " .. visits .. ", a random number: " .. math.random(1000000) .. "\n"
end
