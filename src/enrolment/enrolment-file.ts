/** The file beside the certificates that names the server for renewals: only where `kick agent enroll` has been. */
export const ENROLMENT_FILE = 'enrolment.json';
