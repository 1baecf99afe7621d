import * as z from 'zod/mini';

/** How a sink makes itself known in the `authorization` header. */
export const authSchema = z
  .optional(
    z
      .strictObject({
        user: z.optional(z.string()).check(z.describe('Name, for basic authentication.')),
        password: z.optional(z.string()).check(z.describe('Password of that name.')),
        token: z.optional(z.string()).check(z.describe('Token, for bearer authentication.')),
      })
      .check(
        z.refine(
          (auth) =>
            (auth.user === undefined) === (auth.password === undefined) &&
            (auth.user === undefined) !== (auth.token === undefined),
          { error: 'either user and password, or token' },
        ),
      ),
  )
  .check(z.describe('Credentials; secrets come from a variable or a file.'));
export type AuthOptions = z.infer<typeof authSchema>;
