import { type AuthorizationDetail, isAuthorizationDetails } from '../authorization-details.ts';
import { ValidationError } from '../errors.ts';

/**
 * The authorization details that the OP has granted. It may have made them more precise or fewer; but
 * some have to be there, and none of a type that was not asked for.
 *
 * @param askedTypes without any, what an OP sends is not looked at
 * @see {@link https://www.rfc-editor.org/rfc/rfc9396#section-7 RFC 9396 section 7}
 * @throws {@link ValidationError} `ERR_OIDC_AUTHORIZATION_DETAILS`
 */
export function readGrantedDetails(
  unverifiedDetails: unknown,
  askedTypes: readonly string[],
): readonly AuthorizationDetail[] | undefined {
  if (askedTypes.length === 0) return undefined;
  if (!isAuthorizationDetails(unverifiedDetails) || unverifiedDetails.length === 0) {
    throw refusal('it must have authorization_details, as they were asked for');
  }
  if (!unverifiedDetails.every(({ type }) => askedTypes.includes(type))) {
    throw refusal('its authorization_details have a type that was not asked for');
  }
  return unverifiedDetails;
}

function refusal(wanted: string): ValidationError {
  return new ValidationError(
    'ERR_OIDC_AUTHORIZATION_DETAILS',
    'RFC 9396 7',
    `the token response is refused: ${wanted}`,
  );
}
