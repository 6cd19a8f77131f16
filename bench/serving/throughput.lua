-- Requests for wrk: ASK with a different text each time, of the paper that the text numbers.
-- Arguments: the path of the endpoint, the number of papers, and a number that no other run has.

local path, papers, run, number

function init(arguments)
  path, papers, run, number = arguments[1], tonumber(arguments[2]), arguments[3], 0
end

function request()
  number = number + 1
  local query = "ASK%7B%3Chttps%3A%2F%2Fw3id.org%2Fwgig%2Fid%2Fpaper%2Fmade-up-1-" .. (number % papers + 1)
    .. "%3E%20%3Chttps%3A%2F%2Fw3id.org%2Fwgig%2Fontology%23issue%3E%20%3Fissue_" .. run .. "_" .. number .. "%7D"
  return wrk.format("GET", path .. "?query=" .. query, {Accept = "application/sparql-results+json"})
end
