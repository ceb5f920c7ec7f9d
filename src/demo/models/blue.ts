/** Owns nothing but the choice: the Worker `blue` serves tinyld. */

import { serve } from './serve.ts';
import { tinyld } from './tinyld.ts';

export default serve(tinyld);
