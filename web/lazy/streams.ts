// The streams, for web/streams/streams.ts.
import { shapeStreams } from '../streams/interfaces.ts';

shapeStreams();

export * from '../streams/interfaces.ts';
export * from '../streams/platform.ts';
