const name = self.valor.config;
if (typeof name !== 'string') throw new Error('the config must be a name, a JSON string');
let greeted = 0;

onmessage = ({ data: request }) => {
  const url = new URL(request.url, location);
  const who = url.searchParams.get('who');
  const answer = (status, body) =>
    postMessage({ status, headers: [['content-type', 'text/plain;charset=UTF-8']], body });
  if (request.url === 'count') return answer(200, String(greeted));
  if (who === null) return answer(400, 'who is missing');
  greeted++;
  answer(200, `${name} says hello ${who}!`);
};
