(** * Polynomial correlations suffice

    The theorems about correlations speak of all invariant functions of n neighbours.  Features are sums of
    polynomials.  Here: if the sums of all polynomials in the scalar products x_i.x_j, the triple products
    det(x_i, x_j, x_k) and the species agree for X and Y, so do those of every SO(3)-invariant function; for
    O(3) the scalar products suffice.

    Idea.  These invariants separate the orbits of n-tuples: they fix the coordinates of every member in the
    frame of two non-collinear members.  A separating algebra of functions contains, for finitely many points, a
    function with prescribed values (interpolation). *)

Require Import Reals Lra List Permutation Arith Lia Classical.
Import ListNotations.
From Symtrip Require Import Space TupleSums Environments CentralTheorem PooledFeatures CollinearDecks UpperBound.
Open Scope R_scope.

(** ** Separating algebras determine the sum of every function of the classes *)

Section SeparatingClass.
Context {T : Type}.
Variable C : (T -> R) -> Prop.
Hypothesis C_const : forall c, C (fun _ => c).
Hypothesis C_plus : forall f g, C f -> C g -> C (fun x => f x + g x).
Hypothesis C_mult : forall f g, C f -> C g -> C (fun x => f x * g x).

Lemma prescribed_values f l :
  (forall x y, In x l -> In y l -> inseparable C x y -> f x = f y) -> exists g, C g /\ forall x, In x l -> g x = f x.
Proof.
  induction l as [|z l IH]; intro Hf.
  - exists (fun _ => 0). split; [apply C_const | contradiction].
  - destruct IH as (g & Cg & G); [intros; apply Hf; simpl; auto|].
    destruct (classic (exists x, In x l /\ inseparable C z x)) as [(x & Ix & S)|N].
    + exists g. split; trivial. intros y [<-|Iy]; auto.
      transitivity (g x); [apply S, Cg|]. rewrite G by trivial. symmetry. apply Hf; simpl; auto.
    + destruct (interpolate C C_const C_plus C_mult z l) as (h & Ch & H1 & H0).
      exists (fun x => g x + (f z + - g z) * h x). split.
      * apply C_plus; trivial. apply (C_mult (fun _ => f z + - g z)); trivial.
      * intros y [<-|Iy]; [rewrite H1; ring|]. rewrite H0, G; trivial; [ring|].
        intro S. apply N. eauto.
Qed.

Lemma sums_of_class_functions f l m :
  (forall x y, In x (l ++ m) -> In y (l ++ m) -> inseparable C x y -> f x = f y) ->
  (forall g, C g -> lsum g l = lsum g m) -> lsum f l = lsum f m.
Proof.
  intros Hf H. destruct (prescribed_values f (l ++ m) Hf) as (g & Cg & G).
  rewrite <- (lsum_ext g f l), <- (lsum_ext g f m); auto; intros x I; apply G, in_or_app; auto.
Qed.
End SeparatingClass.

Section Polynomials.
Context {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b}).
Notation atom := (@atom label).
Variable improper_too : bool.

(** Polynomials in scalar products, species and, for SO(3) only, triple products of the members of a tuple.
    The default [d] is never used for places inside the tuple. *)
Inductive invariant_polynomial (d : atom) : (list atom -> R) -> Prop :=
| ip_const c : invariant_polynomial d (fun _ => c)
| ip_species i l : invariant_polynomial d (fun t => is_label label_dec l (fst (nth i t d)))
| ip_dot i j : invariant_polynomial d (fun t => dot (snd (nth i t d)) (snd (nth j t d)))
| ip_det i j k : improper_too = false ->
    invariant_polynomial d (fun t => det (snd (nth i t d)) (snd (nth j t d)) (snd (nth k t d)))
| ip_plus f g : invariant_polynomial d f -> invariant_polynomial d g -> invariant_polynomial d (fun t => f t + g t)
| ip_mult f g : invariant_polynomial d f -> invariant_polynomial d g -> invariant_polynomial d (fun t => f t * g t).

(** ** Equal scalar and triple products relate tuples by a rotation *)

Lemma same_products_rotation (x y : nat -> vec) :
  (forall i j, dot (x i) (x j) = dot (y i) (y j)) ->
  (forall i j k, det (x i) (x j) (x k) = det (y i) (y j) (y k)) ->
  exists M, rotation M /\ forall i, app M (x i) = y i.
Proof.
  intros D T. destruct (classic (exists i j, ~ collinear (x i) (x j))) as [(i & j & N)|L].
  - destruct (noncollinear_pair_determines (label := unit) [] [] (x i) (x j) (y i) (y j)) as (M & RM & Hi & Hj & _); trivial.
    { unfold gram. rewrite !D. reflexivity. }
    exists M. split; trivial. intro k.
    assert (N' : ~ collinear (y i) (y j)) by (rewrite collinear_gram, <- !D, <- collinear_gram; exact N).
    (* Both images have the same coordinates in the frame of y_i and y_j. *)
    apply (orthogonal_injective (frame (y i) (y j))); [apply frame_rotation, N'|].
    rewrite !frame_coordinates, <- Hi, <- Hj, !(orthogonal_dot M), rotation_det by (trivial; apply RM).
    rewrite Hi, Hj, !D, T. reflexivity.
  - assert (line : forall i j, collinear (x i) (x j)) by (intros; apply NNPP; intro N; apply L; eauto).
    destruct (classic (exists i, x i <> vzero)) as [(i & N)|Z].
    + destruct (rotation_between (x i) (y i) (D i i)) as (M & RM & Hi). exists M. split; trivial. intro k.
      assert (N' : y i <> vzero).
      { intro E. apply N, dot_zero. rewrite D, E. unfold dot, vzero; simpl; ring. }
      rewrite (collinear_position (x i) (x k) N (line i k)), app_scale, Hi, !D. symmetry.
      apply collinear_position; trivial. apply collinear_gram. rewrite <- !D. apply collinear_gram, line.
    + exists identity. split; [apply rotation_identity|]. intro k. rewrite app_identity.
      assert (E : x k = vzero) by (apply NNPP; intro N; apply Z; eauto). rewrite E. symmetry.
      apply dot_zero. rewrite <- D, E. unfold dot, vzero; simpl; ring.
Qed.

(** Products of triple products are polynomials in the scalar products (Gram determinants). *)
Lemma det_product a b c d e f :
  det a b c * det d e f =
  dot a d * (dot b e * dot c f - dot b f * dot c e) - dot a e * (dot b d * dot c f - dot b f * dot c d) +
  dot a f * (dot b d * dot c e - dot b e * dot c d).
Proof. unfold det, dot, cross; destruct a, b, c, d, e, f; simpl; ring. Qed.

Lemma same_scalars_isometry (x y : nat -> vec) :
  (forall i j, dot (x i) (x j) = dot (y i) (y j)) -> exists M, isometry true M /\ forall i, app M (x i) = y i.
Proof.
  intro D.
  destruct (family_up_to_sign (fun i : nat * nat * nat => det (x (fst (fst i))) (x (snd (fst i))) (x (snd i)))
              (fun i => det (y (fst (fst i))) (y (snd (fst i))) (y (snd i)))) as (s & SS & Hs).
  { intros [[i j] k] [[i' j'] k']; simpl. rewrite !det_product, !D. reflexivity. }
  assert (F : (s - 1) * (s + 1) = 0) by lra. apply Rmult_integral in F as [F|F].
  - destruct (same_products_rotation x y D) as (M & [O DM] & H).
    + intros i j k. pose proof (Hs (i, j, k)) as E. simpl in E. rewrite E. replace s with 1 by lra. ring.
    + exists M. split; trivial. split; auto.
  - destruct (same_products_rotation x (fun i => app reflect_z (y i))) as (M & [O DM] & H).
    + intros i j. rewrite D, orthogonal_dot; [reflexivity | apply reflect_z_improper].
    + intros i j k. pose proof (Hs (i, j, k)) as E. simpl in E. rewrite E, det_app, (proj2 reflect_z_improper).
      replace s with (-1) by lra. ring.
    + destruct reflect_z_improper as [OR DR]. exists (mul reflect_z M). split.
      * split; [apply orthogonal_mul; trivial | right; split; trivial; rewrite mdet_mul, DM, DR; ring].
      * intro i. rewrite app_mul, H, <- app_mul. change (mul reflect_z reflect_z) with (mul (transpose reflect_z) reflect_z).
        rewrite OR. apply app_identity.
Qed.

Lemma polynomials_separate d t u :
  length t = length u -> inseparable (invariant_polynomial d) t u ->
  exists M, isometry improper_too M /\ map (move M) t = u.
Proof.
  intros L S. pose (x := fun i => snd (nth i t d)). pose (y := fun i => snd (nth i u d)).
  assert (D : forall i j, dot (x i) (x j) = dot (y i) (y j)) by (intros; apply (S _ (ip_dot d i j))).
  assert (labels : forall i, fst (nth i t d) = fst (nth i u d)).
  { intro i. pose proof (S _ (ip_species d i (fst (nth i t d)))) as E. simpl in E.
    rewrite (proj2 (is_label_eq label_dec _ _) eq_refl) in E. symmetry in E. apply is_label_eq in E. exact E. }
  assert (M : exists M, isometry improper_too M /\ forall i, app M (x i) = y i).
  { destruct improper_too eqn:I; [apply same_scalars_isometry, D|].
    destruct (same_products_rotation x y D) as (M & [O DM] & H).
    - intros i j k. apply (S _ (ip_det d i j k I)).
    - exists M. split; trivial. split; auto. }
  destruct M as (M & IM & H). exists M. split; trivial.
  apply (nth_ext _ _ (move M d) d); [rewrite map_length; exact L|]. intros i Hi.
  rewrite map_nth. rewrite (surjective_pairing (nth i u d)), <- labels. unfold move. f_equal. apply H.
Qed.

(** All correlations of order n agree as soon as the polynomial ones do. *)
Theorem polynomial_correlations_suffice d n X Y :
  (forall f, invariant_polynomial d f -> tsum n f X = tsum n f Y) -> same_correlations improper_too n X Y.
Proof.
  intros H f Hf. rewrite !tsum_lsum.
  apply (sums_of_class_functions (invariant_polynomial d) (ip_const d) (ip_plus d) (ip_mult d)).
  - intros t u It Iu S. assert (L : forall w, In w (tuples n X ++ tuples n Y) -> length w = n).
    { intros w I. apply in_app_or in I as [I|I]; apply tuples_spec in I as [L _]; exact L. }
    destruct (polynomials_separate d t u) as (M & IM & <-); trivial; [rewrite !L; trivial|].
    symmetry. apply Hf, IM.
  - intros g Hg. rewrite <- !tsum_lsum. apply H, Hg.
Qed.

(** The upper bound on nu from polynomial correlations alone. *)
Corollary upper_bound_from_polynomials d nu X Y :
  NoDup X -> NoDup Y -> (2 <= nu)%nat ->
  on_a_line X \/ rare_pair label_dec improper_too nu X ->
  (forall f, invariant_polynomial d f -> tsum nu f X = tsum nu f Y) ->
  exists g, isometry improper_too g /\ Permutation (map (move g) X) Y.
Proof. intros NX NY L R H. apply (upper_bound label_dec improper_too nu); trivial. apply (polynomial_correlations_suffice d), H. Qed.
End Polynomials.

Print Assumptions polynomial_correlations_suffice.
Print Assumptions upper_bound_from_polynomials.
