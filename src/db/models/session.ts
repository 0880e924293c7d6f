import { DataTypes } from 'sequelize';
import { Column, CreatedAt, Model, PrimaryKey, Table } from 'sequelize-typescript';

/** One login. The access token carries its id; without the row the token is worth nothing. */
@Table({ tableName: 'sessions', underscored: true, updatedAt: false })
export class Session extends Model {
  @PrimaryKey
  @Column({ type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 })
  declare id: string;

  @Column(DataTypes.UUID)
  declare userId: string;

  @Column(DataTypes.DATE(3))
  declare expiresAt: Date;

  @CreatedAt
  @Column(DataTypes.DATE(3))
  declare createdAt: Date;
}
