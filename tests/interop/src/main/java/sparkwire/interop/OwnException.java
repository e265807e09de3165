package sparkwire.interop;

/** An exception of a user's own, with a field. */
public final class OwnException extends RuntimeException {
  private static final long serialVersionUID = 7L;

  /** What went wrong, as a number. */
  public final int code;

  public OwnException(String message, int code) {
    super(message);
    this.code = code;
  }
}
