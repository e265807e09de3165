package sparkwire.interop;

import java.io.Serializable;
import scala.Option;
import scala.collection.immutable.Seq;

/** A class of a user's own: what a case class of Scala is on the wire. */
public final class Person implements Serializable {
  private static final long serialVersionUID = 1L;

  public final String name;
  public final int age;
  public final long id;
  public final double height;
  public final boolean member;
  public final Option<String> email;
  public final Seq<String> tags;
  public final Person friend;

  public Person(
      String name, int age, long id, double height, boolean member, Option<String> email, Seq<String> tags, Person friend) {
    this.name = name;
    this.age = age;
    this.id = id;
    this.height = height;
    this.member = member;
    this.email = email;
    this.tags = tags;
    this.friend = friend;
  }
}
