import { DataTypes } from 'sequelize';
import { Column, Model, PrimaryKey, Table } from 'sequelize-typescript';
import type { Role } from '../../features/groups/events.ts';

/** A user's place in a conversation, and the user's own view of it. */
@Table({ tableName: 'members', underscored: true, timestamps: false })
export class Member extends Model {
  @PrimaryKey
  @Column(DataTypes.UUID)
  declare conversationId: string;

  @PrimaryKey
  @Column(DataTypes.UUID)
  declare userId: string;

  /** Dialogs only: the other person, or the user in a dialog with oneself. */
  @Column(DataTypes.UUID)
  declare companionId: string | null;

  @Column({ type: DataTypes.TEXT, defaultValue: 'member' })
  declare role: Role;

  @Column({ type: DataTypes.DATE(3), defaultValue: DataTypes.NOW })
  declare joinedAt: Date;

  /** The last `seq` this user has marked as read, or in a group has written; see `readMark`. */
  @Column({ type: DataTypes.BIGINT, defaultValue: 0 })
  declare readSeq: string;

  /** The user deleted the dialog up to and including this `seq`. */
  @Column({ type: DataTypes.BIGINT, defaultValue: 0 })
  declare clearedSeq: string;

  /** The `created_at` of the message at `clearedSeq`: pages are cut by time, so the mark is kept as a time too. */
  @Column({ type: DataTypes.DATE(3), defaultValue: new Date(0) })
  declare clearedAt: Date;

  /** Settings of the user's own: the chat is silent, is at the top, has another name. */
  @Column({ type: DataTypes.BOOLEAN, defaultValue: false })
  declare muted: boolean;

  @Column({ type: DataTypes.BOOLEAN, defaultValue: false })
  declare pinned: boolean;

  @Column(DataTypes.TEXT)
  declare title: string | null;
}
