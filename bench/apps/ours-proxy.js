export { start } from './ours.js';
