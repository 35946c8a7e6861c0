-- What Tandem changes in Lua before a script is loaded. `wait` is what a coroutine yields when it has to be put aside;
-- `is_fatal` knows the errors that nobody may catch.
local wait, is_fatal = ...
local yield, resume, create = coroutine.yield, coroutine.resume, coroutine.create
local call, call_with = pcall, xpcall
local error = error

local function caught(ok, first, ...)
    if not ok and is_fatal(first) then error(first, 0) end
    return ok, first, ...
end

function pcall(f, ...)
    return caught(call(f, ...))
end

function xpcall(f, handler, ...)
    local function handle(first)
        if is_fatal(first) then return first end
        return handler(first)
    end
    return caught(call_with(f, handle, ...))
end

-- A script's own coroutine that has to wait hands this on to the one around it.
local function passed(co, ok, first, ...)
    if ok and first == wait then return passed(co, resume(co, yield(wait))) end
    return caught(ok, first, ...)
end

function coroutine.resume(co, ...)
    return passed(co, resume(co, ...))
end

local function unwrapped(ok, first, ...)
    if not ok then error(first, 0) end
    return first, ...
end

function coroutine.wrap(f)
    local co = create(f)
    return function(...)
        return unwrapped(passed(co, resume(co, ...)))
    end
end

-- Makes of a function that may have to wait, and says so with nil, one that waits.
return function(f)
    return function(...)
        local result = f(...)
        if result == nil then return yield(wait) end
        return result
    end
end
