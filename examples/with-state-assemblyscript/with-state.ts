import { configString, log, onCreate, onRequest, Response } from 'valor';

// Each instance has a module instance of its own: these are its state.
let name = '';
let greeted = 0;

onCreate((creation) => {
  const config = configString();
  if (config === null) return creation.fail('the config is a name, for example "config": "Alice"');
  name = config;
});

onRequest((request) => {
  const who = request.query('who');
  if (who === null) return Response.text('Say who: ?who=NAME\n', 400);
  log(`greeting number ${++greeted}`);
  return Response.text(`${name} says hello ${who}!`);
});
