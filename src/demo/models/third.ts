/** Owns nothing but the choice: the Worker `third` serves franc. */

import { franc } from './franc.ts';
import { serve } from './serve.ts';

export default serve(franc);
