import { DataTypes } from 'sequelize';
import { Column, CreatedAt, Model, PrimaryKey, Table } from 'sequelize-typescript';

/**
 * A dialog or a group. Its row is the lock of all that happens in it:
 * who changes members or messages holds it first, in the order of ids when there are several.
 */
@Table({ tableName: 'conversations', underscored: true, updatedAt: false })
export class Conversation extends Model {
  /** A group's id is chosen by its creator; a dialog's is derived from its two users, see `dialogId`. */
  @PrimaryKey
  @Column(DataTypes.UUID)
  declare id: string;

  @Column(DataTypes.TEXT)
  declare kind: 'dialog' | 'group';

  /** Groups only. */
  @Column(DataTypes.TEXT)
  declare name: string | null;

  /** The folded name, for search. */
  @Column(DataTypes.TEXT)
  declare searchText: string;

  /** Groups only: what it is about. */
  @Column(DataTypes.TEXT)
  declare description: string | null;

  /** Of a group; 0 of a dialog. */
  @Column({ type: DataTypes.INTEGER, defaultValue: 0 })
  declare memberCount: number;

  /** Groups only: who created it, and so may repeat the creation. */
  @Column(DataTypes.UUID)
  declare creatorId: string | null;

  /** The `seq` of the newest message; 0 before the first. */
  @Column(DataTypes.BIGINT)
  declare lastSeq: string;

  /** Dialogs only: the `seq` of the last message by the one of the two with the lower id, and by the other one. */
  @Column({ type: DataTypes.BIGINT, defaultValue: 0 })
  declare lowerSentSeq: string;

  @Column({ type: DataTypes.BIGINT, defaultValue: 0 })
  declare higherSentSeq: string;

  /** The `rev` of the newest change; 0 before the first. */
  @Column(DataTypes.BIGINT)
  declare lastRev: string;

  /** The `created_at` of the newest message, exactly; the epoch before the first. */
  @Column(DataTypes.DATE(3))
  declare lastMessageAt: Date;

  /** A dropped group: nobody is a member any more, and its id is not given again. */
  @Column(DataTypes.DATE(3))
  declare deletedAt: Date | null;

  @CreatedAt
  @Column(DataTypes.DATE(3))
  declare createdAt: Date;
}
