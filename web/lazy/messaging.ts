export { BroadcastChannelInterface as BroadcastChannel, receiveBroadcast } from '../messaging/broadcast-channel.ts';
export {
  createChannel,
  isMessagePort,
  MessageChannelInterface as MessageChannel,
  MessagePortInterface as MessagePort,
} from '../messaging/message-port.ts';
export { transferReadable, transferTransform, transferWritable } from '../messaging/stream-transfer.ts';
export { unpackPlatformObject } from '../messaging/unpack.ts';
