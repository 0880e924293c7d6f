import { DataTypes } from 'sequelize';
import { Column, Model, PrimaryKey, Table } from 'sequelize-typescript';

/** Who gave which reaction to a message. How many did stands in the message. */
@Table({ tableName: 'reactions', underscored: true, timestamps: false })
export class Reaction extends Model {
  @PrimaryKey
  @Column(DataTypes.UUID)
  declare conversationId: string;

  @PrimaryKey
  @Column(DataTypes.UUID)
  declare messageId: string;

  @PrimaryKey
  @Column(DataTypes.UUID)
  declare userId: string;

  @PrimaryKey
  @Column(DataTypes.TEXT)
  declare emoji: string;
}
