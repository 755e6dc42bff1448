-- Sixteen requests in one write; wrk counts the answers.
function init(args)
  local one = wrk.format()
  batch = string.rep(one, 16)
end

function request()
  return batch
end
