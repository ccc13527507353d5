-- Whole numbers, fractions, coroutines, errors, collected memory.
local function primes(limit)
  local composite, found = {}, {}
  for number = 2, limit do
    if not composite[number] then
      found[#found + 1] = number
      for multiple = number * number, limit, number do composite[multiple] = true end
    end
  end
  return found
end
local found = primes(2000)
print(#found, found[#found])
local a, b = 0, 1
for _ = 1, 100 do a, b = b, a + b end
print(a, math.maxinteger + 1 == math.mininteger, 7 // -2, 7 % -2, -7 // 2, 1 << 63, ~0 >> 60)
print(string.format("%.14g %.6f %e %a %x %5.1f", 2 / 3, math.sqrt(2), 1e300, 0.15625, 255, -2.25))
print(10 / 3, 2 ^ 0.5, 1e15, 1e16, 0.1 + 0.2, 3.0, -0.0, 1 / 0, math.floor(-2.5), math.fmod(7, -3))
print(tonumber("0x1p4"), tonumber("1e2"), tonumber("z", 36), math.tointeger(3.0), 5 // 0.3)
local stack = {}
setmetatable(stack, { __index = function(_, key) return key * 2 end, __len = function() return 42 end })
print(stack[21], #stack, rawlen(stack))
local producer = coroutine.wrap(function()
  for index = 1, 5 do coroutine.yield(index * index) end
  return "done"
end)
print(producer(), producer(), producer(), producer(), producer(), producer())
print(pcall(function() local none; return none.field end))
print(select("#", table.unpack({ 1, 2, nil, 4 }, 1, 4)), string.rep("ab", 3, "-"), ("x"):byte())
print(string.pack(">I2 <i4 z d", 258, -2, "end", 1.5):gsub(".", function(c)
  return string.format("%02x", c:byte())
end))
for _ = 1, 20 do
  local waste = {}
  for index = 1, 500 do waste[index] = { index, tostring(index) } end
end
collectgarbage()
print(collectgarbage("count") < 4096, os.time({ year = 2001, month = 9, day = 9, hour = 1 }) > 0)
local hash = 5381
for index = 1, 3000 do hash = (hash * 33 ~ index) & 0xffffffff end
print(string.format("%08x", hash))
