/** Owns nothing but the choice: the Worker `green` serves eld. */

import { eld } from './eld.ts';
import { serve } from './serve.ts';

export default serve(eld);
