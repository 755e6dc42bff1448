// Runs the JavaScript in a request's body as an async function and answers with what it returns, as JSON; what it
// throws as { name, message, code, cause }.
const AsyncFunction = (async () => {}).constructor;

function shown(error) {
  if (typeof error !== 'object' || error === null) return error;
  const { name, message, code, cause } = error;
  return { name, message, code, cause: shown(cause) };
}

export default {
  async fetch(request) {
    const code = await request.text();
    try {
      return Response.json({ value: (await new AsyncFunction('request', code)(request)) ?? null });
    } catch (error) {
      return Response.json({ error: shown(error) });
    }
  },
};
