import { DataTypes } from 'sequelize';
import { BeforeSave, Column, CreatedAt, Model, PrimaryKey, Table, UpdatedAt } from 'sequelize-typescript';
import { searchTextOf } from '../searchText.ts';

/** What everybody sees as the name of a deleted account. */
export const DELETED_NAME = { firstName: 'Deleted', lastName: 'account' } as const;

/** A person with an account. Rows are never removed: messages of a deleted account stay readable. */
@Table({ tableName: 'users', underscored: true })
export class User extends Model {
  @PrimaryKey
  @Column({ type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 })
  declare id: string;

  /** Null once the account is deleted. Compared without regard to case. */
  @Column(DataTypes.CITEXT)
  declare email: string | null;

  @Column(DataTypes.TEXT)
  declare firstName: string;

  @Column(DataTypes.TEXT)
  declare lastName: string | null;

  /** Null once the account is deleted. */
  @Column(DataTypes.TEXT)
  declare passwordHash: string | null;

  /** What search looks at, kept in step by the hook below. */
  @Column(DataTypes.TEXT)
  declare searchText: string;

  @Column(DataTypes.DATE(3))
  declare deletedAt: Date | null;

  @CreatedAt
  @Column(DataTypes.DATE(3))
  declare createdAt: Date;

  @UpdatedAt
  @Column(DataTypes.DATE(3))
  declare updatedAt: Date;

  @BeforeSave
  static writeSearchText(user: User): void {
    user.searchText = user.email
      ? searchTextOf([`${user.firstName} ${user.lastName ?? ''}`, user.firstName, user.lastName, user.email])
      : '';
  }
}
