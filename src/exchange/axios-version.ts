import axios from 'axios';

/** The version of the axios that is loaded. */
export const axiosVersion: string = axios.VERSION;
