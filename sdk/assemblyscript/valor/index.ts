// Plug-ins in AssemblyScript: docs/plugins-assemblyscript.md. A plug-in registers onRequest() at its top level; Valor runs
// each instance in a module instance of its own, so that global variables are the state of that instance.
export { Body } from './body';
export { fetch, FetchOptions, FetchResponse } from './fetch';
export { Clock, LogLevel, PLAIN_TEXT } from './constants';
export { Headers } from './headers';
export * from './instance';
export { Operation } from './operation';
export { Request } from './request';
export { Response } from './response';
export { sleep } from './sleep';
export { Writer } from './writer';
