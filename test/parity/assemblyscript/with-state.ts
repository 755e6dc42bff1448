import { configString, onCreate, onRequest, Response } from 'valor';

let name = '';
let greeted = 0;

onCreate((creation) => {
  const config = configString();
  if (config === null) return creation.fail('the config must be a name, a JSON string');
  name = config;
});

onRequest((request) => {
  if (request.path == 'count') return Response.text(greeted.toString());
  const who = request.query('who');
  if (who === null) return Response.text('who is missing', 400);
  greeted++;
  return Response.text(`${name} says hello ${who}!`);
});
