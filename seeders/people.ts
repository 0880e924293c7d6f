/** The password of every demo account. */
export const DEMO_PASSWORD = 'demo-password';

/** The demo accounts: first name, last name. */
export const PEOPLE: [string, string | null][] = [
  ['Ava', 'Moreau'],
  ['Noah', 'Lindqvist'],
  ['Мария', 'Иванова'],
  ['Liam', "O'Connor"],
  ['İpek', 'Yılmaz'],
  ['Sofía', 'García'],
  ['Kenji', 'Tanaka'],
  ['Zoë', 'van-Dijk'],
  ['Omar', 'Haddad'],
  ['Chidi', 'Okafor'],
  ['Priya', 'Sharma'],
  ['Mateusz', 'Wójcik'],
  ['Ingrid', 'Sørensen'],
  ['Lucas', 'Silva'],
  ['Артём', 'Королёв'],
  ['Hanna', 'Müller'],
  ['Yara', null],
  ['Giulia', 'Rossi'],
  ['Élodie', 'Dubois'],
  ['Tom', 'Baker'],
];

/** The address of the demo account at this place in the list. */
export const emailOf = (index: number): string => `demo${index + 1}@example.com`;

export const GROUPS = [
  ...['Design', 'Front end', 'Back end', 'Release 2.0', 'Incidents', 'Book club', 'Lunch', 'Running', 'Chess', 'Film night'],
  ...['Music', 'Board games', 'Football', 'Climbing', 'Cooking', 'Photography', 'Travel', 'Gardening', 'Cats', 'Dogs'],
  ...['Family', 'Old school', 'Neighbours', 'Parents', 'Choir', 'Cycling', 'Language exchange', 'Startup ideas', 'Support', 'Everyone'],
];

export const SENTENCES = [
  'Good morning!',
  'Has anybody seen the new build?',
  'I will have a look at it after lunch.',
  'That works for me 👍',
  'Can we move this to Thursday?',
  'Sounds good.',
  'I pushed a fix, please try again.',
  'Who is coming tonight?',
  'Me!',
  'Not today, sorry.',
  'Спасибо, всё работает.',
  'Here is the link: https://example.com/plan',
  'Let us keep it simple.',
  'One more thing: the search finds accents now, try élodie.',
  'Great, thank you all.',
  'I am running ten minutes late.',
  'Does this look right to you?',
  'Yes, ship it.',
  'The second half is longer, so here it is in one message.\nFirst we change the page, then the server, and last the docs.',
  'See you tomorrow.',
];
