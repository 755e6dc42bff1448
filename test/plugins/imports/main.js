var order = [];
importScripts('lib/first.js', `${location.pathname}lib/second.js?v=1`);
onmessage = ({ data: request }) => {
  const target = new URLSearchParams(request.url.slice(1)).get('import');
  let error = null;
  try {
    if (target) importScripts(target);
  } catch (thrown) {
    error = `${thrown.name}: ${thrown.message}`;
  }
  postMessage({ status: 200, headers: [], body: JSON.stringify({ order, error, location: location.href }) });
};
