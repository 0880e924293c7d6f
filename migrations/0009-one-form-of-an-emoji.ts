import type { SqlMigration } from '../src/db/migrator.ts';

/** What Unicode 17 calls `Emoji`, but not `Emoji_Presentation`. */
const TEXTS = `
  0023 002A 0030-0039 00A9 00AE 203C 2049 2122 2139 2194-2199 21A9-21AA 2328 23CF 23ED-23EF 23F1-23F2 23F8-23FA 24C2 25AA-25AB
  25B6 25C0 25FB-25FC 2600-2604 260E 2611 2618 261D 2620 2622-2623 2626 262A 262E-262F 2638-263A 2640 2642 265F-2660 2663
  2665-2666 2668 267B 267E 2692 2694-2697 2699 269B-269C 26A0 26A7 26B0-26B1 26C8 26CF 26D1 26D3 26E9 26F0-26F1 26F4 26F7-26F9
  2702 2708-2709 270C-270D 270F 2712 2714 2716 271D 2721 2733-2734 2744 2747 2763-2764 27A1 2934-2935 2B05-2B07 3030 303D 3297
  3299 1F170-1F171 1F17E-1F17F 1F202 1F237 1F321 1F324-1F32C 1F336 1F37D 1F396-1F397 1F399-1F39B 1F39E-1F39F 1F3CB-1F3CE
  1F3D4-1F3DF 1F3F3 1F3F5 1F3F7 1F43F 1F441 1F4FD 1F549-1F54A 1F56F-1F570 1F573-1F579 1F587 1F58A-1F58D 1F590 1F5A5 1F5A8
  1F5B1-1F5B2 1F5BC 1F5C2-1F5C4 1F5D1-1F5D3 1F5DC-1F5DE 1F5E1 1F5E3 1F5E8 1F5EF 1F5F3 1F5FA 1F6CB 1F6CD-1F6CF 1F6E0-1F6E5 1F6E9
  1F6F0 1F6F3`;

/** One of these characters with no colour of skin behind it, as PostgreSQL writes it. */
const LIST = TEXTS.replace(/[0-9A-F]+/g, (code) => `\\U${code.padStart(8, '0')}`).replace(/\s/g, '');
const TEXT = `([${LIST}])(?![\\U0001F3FB-\\U0001F3FF])`;

/**
 * An emoji has one form: U+FE0F stands behind what would be shown as text without it, and nowhere else. Reactions that were two to the
 * server and one to people fall together, where the first of them stood; who gave both has given one. Clients see it when they read the
 * message again.
 *
 * Servers of the version before are to be stopped first: what they kept in another form nobody could take back.
 */
export const oneFormOfAnEmoji: SqlMigration = {
  name: '0009-one-form-of-an-emoji',
  up: `
    CREATE TEMPORARY TABLE renamed ON COMMIT DROP AS
    SELECT * FROM (
      SELECT reactions.*, regexp_replace(replace(emoji, E'\\uFE0F', ''), '${TEXT}', E'\\\\1\\uFE0F', 'g') AS qualified FROM reactions
    ) reaction
    WHERE qualified <> emoji;

    DELETE FROM reactions r USING renamed
    WHERE r.conversation_id = renamed.conversation_id AND r.message_id = renamed.message_id
      AND r.user_id = renamed.user_id AND r.emoji = renamed.emoji;
    INSERT INTO reactions (conversation_id, message_id, user_id, emoji)
    SELECT conversation_id, message_id, user_id, qualified FROM renamed
    ON CONFLICT DO NOTHING;

    UPDATE messages m SET reactions = (
      SELECT jsonb_agg(jsonb_build_object('emoji', kind.emoji, 'count', (
        SELECT count(*) FROM reactions r WHERE r.conversation_id = m.conversation_id AND r.message_id = m.id AND r.emoji = kind.emoji
      )) ORDER BY kind.place)
      FROM (
        SELECT coalesce(name.qualified, counted.value ->> 'emoji') AS emoji, min(counted.place) AS place
        FROM jsonb_array_elements(m.reactions) WITH ORDINALITY AS counted (value, place)
        LEFT JOIN (SELECT DISTINCT emoji, qualified FROM renamed) name ON name.emoji = counted.value ->> 'emoji'
        GROUP BY 1
      ) kind
    )
    FROM (SELECT DISTINCT conversation_id, message_id FROM renamed) changed
    WHERE m.conversation_id = changed.conversation_id AND m.id = changed.message_id;
  `,
  // Nobody knows what the forms were, and none of them is wrong.
  down: 'SELECT',
};
