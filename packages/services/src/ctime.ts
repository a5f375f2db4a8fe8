const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * A time as C's `ctime` writes it, without the line feed: `Wed Jan 29 19:14:15 2014`, in local time and in English whatever the locale.
 * The day of the month is padded with a space (`Jan  9`).
 */
export function ctime(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)} ${clock} ${time.getFullYear()}`
}
