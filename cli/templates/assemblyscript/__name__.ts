// Greets: /__name__?who=Bob is answered with "Alice says hello Bob!". The name is the config in plugins.json.
import { configString, onCreate, onRequest, Response } from 'valor';

let name = '';

onCreate((creation) => {
  const config = configString();
  if (config === null) return creation.fail('the config is a name, for example "config": "Alice"');
  name = config;
});

onRequest((request) => {
  const who = request.query('who');
  if (who === null) return Response.text('Say who: ?who=NAME\n', 400);
  return Response.text(`${name} says hello ${who}!\n`);
});
