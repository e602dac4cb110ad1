// The same application, for visitors whose OP is on its own site.
export { start } from './ours.js';
