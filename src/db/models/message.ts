import { DataTypes } from 'sequelize';
import { Column, Model, PrimaryKey, Table } from 'sequelize-typescript';

/** A message. Stored by `write_messages` and `write_to_dialogs` alone, which hand out `seq`, `rev` and `createdAt`; changed by `changeMessage`. */
@Table({ tableName: 'messages', underscored: true, timestamps: false })
export class Message extends Model {
  @PrimaryKey
  @Column(DataTypes.UUID)
  declare conversationId: string;

  /** Strictly increasing within the conversation, whole milliseconds: an exact cursor. */
  @PrimaryKey
  @Column(DataTypes.DATE(3))
  declare createdAt: Date;

  /** Chosen by the client, unique within the conversation. */
  @Column(DataTypes.UUID)
  declare id: string;

  @Column(DataTypes.UUID)
  declare senderId: string;

  /** 1, 2, 3… within the conversation, without gaps. */
  @Column(DataTypes.BIGINT)
  declare seq: string;

  /** The conversation's change that touched this row last. */
  @Column(DataTypes.BIGINT)
  declare rev: string;

  /** Whether it tells of a change of the group rather than being somebody's words. */
  @Column(DataTypes.BOOLEAN)
  declare notification: boolean;

  /** Empty once it is deleted. */
  @Column(DataTypes.TEXT)
  declare content: string;

  /** The message of the same conversation that it answers. */
  @Column(DataTypes.UUID)
  declare replyToId: string | null;

  /** How many gave each reaction, in the order of the first of each; null when nobody gave any. */
  @Column(DataTypes.JSONB)
  declare reactions: { emoji: string; count: number }[] | null;

  @Column(DataTypes.DATE(3))
  declare updatedAt: Date;

  @Column(DataTypes.DATE(3))
  declare editedAt: Date | null;

  @Column(DataTypes.DATE(3))
  declare deletedAt: Date | null;
}
