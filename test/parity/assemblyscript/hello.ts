import { onRequest, Response } from 'valor';

onRequest(() => Response.text('OK response from a plugin'));
