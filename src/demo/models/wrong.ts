/** Owns nothing but the choice: the Worker `wrong` serves the mixed-up cache. */

import { mixedUp } from './mixed-up.ts';
import { serve } from './serve.ts';

export default serve(mixedUp());
