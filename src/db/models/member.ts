import { DataTypes } from 'sequelize';
import { Column, Model, PrimaryKey, Table } from 'sequelize-typescript';

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
  declare role: 'owner' | 'admin' | 'member';

  @Column({ type: DataTypes.DATE(3), defaultValue: DataTypes.NOW })
  declare joinedAt: Date;

  /** The last `seq` this user has read. */
  @Column({ type: DataTypes.BIGINT, defaultValue: 0 })
  declare readSeq: string;

  /** The user deleted the dialog up to and including this `seq`. */
  @Column({ type: DataTypes.BIGINT, defaultValue: 0 })
  declare clearedSeq: string;

  /** The `created_at` of the message at `clearedSeq`: pages are cut by time, so the mark is kept as a time too. */
  @Column({ type: DataTypes.DATE(3), defaultValue: new Date(0) })
  declare clearedAt: Date;
}
