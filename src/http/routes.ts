import type { Env } from '../env.ts';
import { authRoutes } from '../features/auth/routes.ts';
import { chatRoutes } from '../features/chats/routes.ts';
import { groupRoutes } from '../features/groups/routes.ts';
import { messageRoutes } from '../features/messages/routes.ts';
import { profileRoutes } from '../features/profile/routes.ts';
import { reactionRoutes } from '../features/reactions/routes.ts';
import { readingRoutes } from '../features/reading/routes.ts';
import { searchRoutes } from '../features/search/routes.ts';
import type { Route } from './route.ts';

/** Every REST path below `/api`. */
export const createRoutes = (env: Env): Route[] => [
  ...authRoutes(env),
  ...profileRoutes(env),
  ...searchRoutes,
  ...groupRoutes(env),
  ...chatRoutes,
  ...messageRoutes(env),
  ...readingRoutes,
  ...reactionRoutes,
];
