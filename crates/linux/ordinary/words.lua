-- Counts the words of the file `text`, and sorts the lines of standard input.
local counts, total = {}, 0
for line in io.lines("text") do
  for word in line:gmatch("%a+") do
    word = word:lower()
    counts[word] = (counts[word] or 0) + 1
    total = total + 1
  end
end
local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b)
  if counts[a] ~= counts[b] then return counts[a] > counts[b] end
  return a < b
end)
print(total, #words)
for index = 1, 12 do
  local word = words[index]
  print(string.format("%-12s %5d %6.2f%%", word, counts[word], 100 * counts[word] / total))
end
local lines = {}
for line in io.read("a"):gmatch("[^\n]+") do lines[#lines + 1] = line end
table.sort(lines)
print(table.concat(lines, "|"):gsub("a(.)", "<%1>"))
local file = assert(io.open("text", "rb"))
print(file:seek("end"), file:seek("set", 100), #file:read(50))
print(io.open("none"))
