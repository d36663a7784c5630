/** What the address of a job says besides the job. */
export interface JobSearch {
  tab?: string;
  outcome?: string;
  name?: string;
  sort?: string;
  host?: string;
}

export type SetSearch = (change: { [Name in keyof JobSearch]?: string | undefined }) => void;
