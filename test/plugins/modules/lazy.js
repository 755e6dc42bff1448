export default 'loaded when asked';
