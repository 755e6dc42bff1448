export {
  CompressionStreamInterface as CompressionStream,
  DecompressionStreamInterface as DecompressionStream,
} from '../compression/compression-streams.ts';
